# The control plane itself: administration only, no traffic of API consumers.

locals {
  # Known only once the load balancer has its name. On a cluster that gives
  # none, and is not waited for, the Service's own name stands in.
  admin_load_balancer_host = try(
    coalesce(
      kubernetes_service_v1.admin.status[0].load_balancer[0].ingress[0].hostname,
      kubernetes_service_v1.admin.status[0].load_balancer[0].ingress[0].ip,
    ),
    local.service_hosts["admin"],
  )

  # Kong Manager runs in a browser: it needs the address of the Admin API as
  # seen from outside. Kong Manager comes over plain http on 8002, so does this.
  admin_gui_api_url = var.admin_gui_api_url != null ? var.admin_gui_api_url : "http://${local.admin_load_balancer_host}:${local.ports["admin"]}"

  environment = merge(
    local.database_environment,
    {
      KONG_ROLE                     = "control_plane"
      KONG_CLUSTER_CERT             = "${local.certificate_path}/tls.crt"
      KONG_CLUSTER_CERT_KEY         = "${local.certificate_path}/tls.key"
      KONG_CLUSTER_LISTEN           = "0.0.0.0:${local.ports["cluster"]}"
      KONG_CLUSTER_TELEMETRY_LISTEN = "0.0.0.0:${local.ports["telemetry"]}"
      KONG_ADMIN_LISTEN             = "0.0.0.0:${local.ports["admin"]}, 0.0.0.0:${local.ports["admin-tls"]} http2 ssl"
      KONG_ADMIN_GUI_LISTEN         = "0.0.0.0:${local.ports["manager"]}, 0.0.0.0:${local.ports["manager-tls"]} ssl"
      KONG_STATUS_LISTEN            = "0.0.0.0:${local.ports["status"]}"
      KONG_ADMIN_ACCESS_LOG         = "/dev/stdout"
      KONG_ADMIN_ERROR_LOG          = "/dev/stderr"
      KONG_ADMIN_GUI_ACCESS_LOG     = "/dev/stdout"
      KONG_ADMIN_GUI_ERROR_LOG      = "/dev/stderr"
      # As many workers as the CPU request feeds, not as the node has cores.
      KONG_NGINX_WORKER_PROCESSES = "2"
    },
    var.exposure == "internal" || var.admin_gui_api_url != null ? { KONG_ADMIN_GUI_API_URL = local.admin_gui_api_url } : {},
    var.extra_environment,
  )
}

resource "kubernetes_deployment_v1" "this" {
  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas = var.replicas

    selector {
      match_labels = local.selector_labels
    }

    strategy {
      type = "RollingUpdate"

      rolling_update {
        max_surge       = "1"
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

          env {
            name = "KONG_PG_PASSWORD"

            value_from {
              secret_key_ref {
                name = var.database.password_secret
                key  = var.database.password_key
              }
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

          # No CPU limit: it would throttle answers while the node has time to spare.
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

  # Kong refuses to start on a database whose schema is not its own.
  depends_on = [kubernetes_job_v1.migrations]
}
