# Stores that another part of the infrastructure has made: their addresses are all that is needed of them.
terraform {
  required_version = ">= 1.5"

  required_providers {
    kustomization = {
      source  = "kbst/kustomization"
      version = ">= 0.9.6, < 1.0.0"
    }
  }
}

provider "kustomization" {
  kubeconfig_path = "~/.kube/config"
}

module "waybill" {
  source = "../.."

  images = {
    registry = "ghcr.io/example/waybill"
    version  = "0.1.0"
  }
  host  = "waybill.example.com"
  kafka = { brokers = ["kafka-1.example.internal:9092", "kafka-2.example.internal:9092", "kafka-3.example.internal:9092"] }
  redis = "redis.example.internal:6379"
  secrets = {
    cluster_store = "vault"
    key           = "waybill/production"
  }
  stores_cidr     = "10.20.0.0/16"
  trusted_proxies = "10.0.0.0/8"
}
