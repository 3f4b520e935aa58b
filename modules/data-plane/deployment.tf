# The data plane: API consumers' traffic only. It has no database; what it knows
# came from the control plane, and it keeps serving that while the latter is away.

resource "kubernetes_deployment_v1" "this" {
  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    # No replicas here: the number is the autoscaler's, or a person's who scales
    # by hand. Kubernetes starts with one.
    selector {
      match_labels = local.selector_labels
    }

    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_surge       = "25%"
        max_unavailable = "0"
      }
    }

    template {
      metadata {
        labels = local.labels

        # A pod reads the certificate once, at its start: a new one restarts it.
        annotations = {
          "checksum/cluster-certificate" = var.cluster_certificate_checksum
        }
      }

      spec {
        service_account_name            = kubernetes_service_account_v1.this.metadata[0].name
        automount_service_account_token = false
        # Links would set variables such as KONG_KONG_ADMIN_PORT, which Kong would
        # take for settings.
        enable_service_links             = false
        termination_grace_period_seconds = 30

        # Spread over zones where there is room, without refusing to run where not.
        topology_spread_constraint {
          max_skew           = 1
          topology_key       = "topology.kubernetes.io/zone"
          when_unsatisfiable = "ScheduleAnyway"

          label_selector {
            match_labels = local.selector_labels
          }
        }

        security_context {
          run_as_non_root = true
          run_as_user     = local.kong_uid
          run_as_group    = local.kong_uid
          fs_group        = local.kong_uid

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name  = "kong"
          image = var.image

          dynamic "port" {
            for_each = local.ports

            content {
              name           = port.key
              container_port = port.value
              protocol       = "TCP"
            }
          }

          dynamic "env" {
            for_each = local.environment

            content {
              name  = env.key
              value = env.value
            }
          }

          dynamic "env" {
            for_each = kubernetes_secret_v1.license

            content {
              name = "KONG_LICENSE_DATA"

              value_from {
                secret_key_ref {
                  name = env.value.metadata[0].name
                  key  = "license"
                }
              }
            }
          }

          # The autoscaler computes from the CPU request. No CPU limit: it would
          # throttle the proxy while the node has time to spare.
          resources {
            requests = {
              cpu    = var.resources.cpu_request
              memory = var.resources.memory_request
            }
            limits = {
              memory = var.resources.memory_limit
            }
          }

          security_context {
            allow_privilege_escalation = false
            read_only_root_filesystem  = true
            run_as_non_root            = true

            capabilities {
              drop = ["ALL"]
            }
          }

          startup_probe {
            period_seconds    = 5
            timeout_seconds   = 5
            failure_threshold = 60

            http_get {
              path   = "/status"
              port   = "status"
              scheme = "HTTP"
            }
          }

          readiness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 3

            http_get {
              path   = "/status/ready"
              port   = "status"
              scheme = "HTTP"
            }
          }

          liveness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 3

            http_get {
              path   = "/status"
              port   = "status"
              scheme = "HTTP"
            }
          }

          lifecycle {
            pre_stop {
              exec {
                # Fifteen seconds for load balancers to forget the pod, then up
                # to ten for requests under way: less than the grace period.
                command = ["kong", "quit", "--wait=15", "--timeout=10"]
              }
            }
          }

          volume_mount {
            name       = "cluster-certificate"
            mount_path = local.certificate_path
            read_only  = true
          }

          volume_mount {
            name       = "prefix"
            mount_path = local.kong_prefix
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        volume {
          name = "cluster-certificate"

          secret {
            secret_name  = var.cluster_certificate_secret
            default_mode = "0440"
          }
        }

        volume {
          name = "prefix"

          empty_dir {
            size_limit = "256Mi"
          }
        }

        volume {
          name = "tmp"

          empty_dir {
            size_limit = "1Gi"
          }
        }
      }
    }
  }

  wait_for_rollout = var.wait_for_rollout

  timeouts {
    create = "10m"
    update = "10m"
    delete = "10m"
  }
}
