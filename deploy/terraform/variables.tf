variable "images" {
  description = "Where the six images are, and which release."
  type = object({
    registry = string
    version  = string
  })
  validation {
    condition     = can(regex("^[0-9]+\\.[0-9]+\\.[0-9]+", var.images.version))
    error_message = "A release, as 1.2.3: never a tag that moves."
  }
}

variable "host" {
  description = "The name that clients call; its certificate is asked for by cert-manager."
  type        = string
}

variable "kafka" {
  description = "The managed Kafka. How topics are made is settled at their creation."
  type = object({
    brokers             = list(string)
    partitions          = optional(number, 12)
    replication_factor  = optional(number, 3)
    min_insync_replicas = optional(number, 2)
    retention_hours     = optional(number, 168)
  })
  validation {
    condition     = length(var.kafka.brokers) > 0 && alltrue([for broker in var.kafka.brokers : can(regex("^[^:\\s]+:[0-9]+$", broker))])
    error_message = "Each broker is host:port."
  }
  validation {
    condition     = var.kafka.min_insync_replicas >= 2 && var.kafka.replication_factor > var.kafka.min_insync_replicas
    error_message = "Acknowledged means on two brokers at least, and one may be away: more replicas than must be in sync."
  }
}

variable "redis" {
  description = "The managed Redis, host:port; Sentinels or nodes of a cluster, separated by commas, with REDIS_MODE in settings. Losing it costs speed, never correctness."
  type        = string
}

variable "mongo" {
  description = "The managed MongoDB, a replica set. Its URI is a secret, and stands in the secret store."
  type = object({
    database = optional(string, "shipping_system")
  })
  default = {}
}

variable "secrets" {
  description = "Where External Secrets finds mongo_uri, jwt_secret, jwt_kid, jwt_retired_secrets and webhooks_keys. No secret passes through Terraform, whose state would keep it."
  type = object({
    cluster_store = string
    key           = string
  })
}

variable "stores_cidr" {
  description = "The subnet of the managed stores: what pods may reach, and nothing else."
  type        = string
  validation {
    condition     = can(cidrnetmask(var.stores_cidr)) && !endswith(var.stores_cidr, "/0")
    error_message = "A subnet as 10.20.0.0/16, not everything."
  }
}

variable "trusted_proxies" {
  description = "The subnet of the ingress controller, whose word on who calls is believed."
  type        = string
}

variable "settings" {
  description = "More settings of the services, by their names in .env.example."
  type        = map(string)
  default     = {}
}
