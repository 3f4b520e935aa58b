# Who may talk to the control plane. Probes and kubectl port-forward come from
# the pod's own node and are not subject to policies.

resource "kubernetes_network_policy_v1" "this" {
  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    policy_types = ["Ingress"]

    pod_selector {
      match_labels = local.selector_labels
    }

    # Data planes: configuration and telemetry, and nothing else.
    ingress {
      dynamic "from" {
        for_each = var.data_plane_namespaces

        content {
          namespace_selector {
            match_labels = { "kubernetes.io/metadata.name" = from.value }
          }
        }
      }

      dynamic "ports" {
        for_each = [local.ports["cluster"], local.ports["telemetry"]]

        content {
          port     = tostring(ports.value)
          protocol = "TCP"
        }
      }
    }

    # Anyone in the cluster, Prometheus above all: health and metrics.
    ingress {
      ports {
        port     = tostring(local.ports["status"])
        protocol = "TCP"
      }
    }

    # People: the namespace's own pods; with a load balancer whoever its source
    # ranges let in, who here appears with the address of a node.
    ingress {
      dynamic "from" {
        for_each = local.load_balanced ? [] : ["namespace"]

        content {
          pod_selector {}
        }
      }

      dynamic "ports" {
        for_each = [for name in ["admin", "admin-tls", "manager", "manager-tls"] : local.ports[name]]

        content {
          port     = tostring(ports.value)
          protocol = "TCP"
        }
      }
    }
  }
}
