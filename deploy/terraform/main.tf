locals {
  services = ["gateway", "ingest-api", "processor", "query-api", "webhooks", "portal"]

  settings = merge({
    KAFKA_BROKERS             = join(",", var.kafka.brokers)
    KAFKA_PARTITIONS          = var.kafka.partitions
    KAFKA_REPLICATION_FACTOR  = var.kafka.replication_factor
    KAFKA_MIN_INSYNC_REPLICAS = var.kafka.min_insync_replicas
    KAFKA_RETENTION_HOURS     = var.kafka.retention_hours
    MONGO_DB                  = var.mongo.database
    REDIS_ADDR                = var.redis
    WAYBILL_TRUSTED_PROXIES   = var.trusted_proxies
  }, var.settings)
}

data "kustomization_overlay" "waybill" {
  resources = ["${path.module}/../kubernetes/overlays/production"]

  config_map_generator {
    name     = "waybill-settings"
    behavior = "merge"
    literals = [for name, value in local.settings : "${name}=${value}"]
  }

  dynamic "images" {
    for_each = toset(local.services)
    content {
      name     = "registry.example.com/waybill/${images.value}"
      new_name = "${var.images.registry}/${images.value}"
      new_tag  = var.images.version
    }
  }

  patches {
    target {
      kind = "NetworkPolicy"
      name = "to-.*"
    }
    patch = yamlencode([{
      op    = "replace"
      path  = "/spec/egress/0/to"
      value = [{ ipBlock = { cidr = var.stores_cidr } }]
    }])
  }

  # One without a partition is not ready, and an update would wait for it.
  patches {
    target {
      kind = "ScaledObject"
      name = "processor"
    }
    patch = yamlencode([{
      op    = "replace"
      path  = "/spec/maxReplicaCount"
      value = var.kafka.partitions
    }])
  }

  patches {
    target {
      kind = "Ingress"
      name = "gateway"
    }
    patch = yamlencode([
      { op = "replace", path = "/spec/rules/0/host", value = var.host },
      { op = "replace", path = "/spec/tls/0/hosts/0", value = var.host },
    ])
  }

  patches {
    target {
      kind = "ExternalSecret"
      name = "waybill-secrets"
    }
    patch = yamlencode(concat(
      [{ op = "replace", path = "/spec/secretStoreRef/name", value = var.secrets.cluster_store }],
      [for index in range(5) : { op = "replace", path = "/spec/data/${index}/remoteRef/key", value = var.secrets.key }],
    ))
  }
}

# In the provider's order: namespaces and their like, then the rest, then what must come last.
resource "kustomization_resource" "first" {
  for_each = data.kustomization_overlay.waybill.ids_prio[0]
  manifest = data.kustomization_overlay.waybill.manifests[each.value]
}

resource "kustomization_resource" "workloads" {
  for_each = data.kustomization_overlay.waybill.ids_prio[1]
  manifest = data.kustomization_overlay.waybill.manifests[each.value]

  depends_on = [kustomization_resource.first]
}

resource "kustomization_resource" "last" {
  for_each = data.kustomization_overlay.waybill.ids_prio[2]
  manifest = data.kustomization_overlay.waybill.manifests[each.value]

  depends_on = [kustomization_resource.workloads]
}
