# The database's schema, before the control plane starts. A Job cannot be
# changed, so its name carries a hash of what asks for another run: another
# image (an upgrade) or another database.

locals {
  migrations_hash = substr(sha256(join("|", [
    var.image,
    var.database.host,
    tostring(var.database.port),
    var.database.name,
  ])), 0, 8)

  # The exit status of `kong migrations list` tells what is needed: 3 a fresh
  # database, 4 migrations begun and not finished, 5 new ones, 0 nothing. `up`
  # and `finish` do nothing where nothing is to be done, so a repeated run is
  # harmless. Data planes keep serving from their copy of the configuration.
  migrations_script = <<-EOT
    set -eu
    state=0
    kong migrations list || state=$?
    case "$state" in
      3)
        kong migrations bootstrap
        ;;
      0 | 4 | 5)
        kong migrations up
        kong migrations finish
        ;;
      *)
        echo "kong migrations list failed with status $state" >&2
        exit "$state"
        ;;
    esac
  EOT
}

resource "kubernetes_job_v1" "migrations" {
  metadata {
    name      = "${local.name}-migrations-${local.migrations_hash}"
    namespace = var.namespace
    labels    = merge(local.labels, { "app.kubernetes.io/component" = "migrations" })
  }

  spec {
    backoff_limit           = 6
    active_deadline_seconds = 900

    template {
      metadata {
        labels = merge(local.labels, { "app.kubernetes.io/component" = "migrations" })
      }

      spec {
        restart_policy                  = "Never"
        service_account_name            = kubernetes_service_account_v1.this.metadata[0].name
        automount_service_account_token = false
        # Links would set variables such as KONG_KONG_ADMIN_PORT, which Kong would
        # take for settings.
        enable_service_links = false

        security_context {
          run_as_non_root = true
          run_as_user     = local.kong_uid
          run_as_group    = local.kong_uid
          fs_group        = local.kong_uid

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        init_container {
          name  = "wait-for-database"
          image = var.database_client_image
          command = [
            "/bin/sh",
            "-c",
            "until pg_isready --timeout=5; do sleep 2; done",
          ]

          # pg_isready needs no password: it asks whether connections are accepted.
          dynamic "env" {
            for_each = {
              PGHOST     = var.database.host
              PGPORT     = tostring(var.database.port)
              PGUSER     = var.database.user
              PGDATABASE = var.database.name
            }

            content {
              name  = env.key
              value = env.value
            }
          }

          resources {
            requests = {
              cpu    = "50m"
              memory = "32Mi"
            }
            limits = {
              memory = "64Mi"
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
        }

        container {
          name    = "migrations"
          image   = var.image
          command = ["/bin/sh", "-c", local.migrations_script]

          dynamic "env" {
            for_each = local.database_environment

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

          resources {
            requests = {
              cpu    = "250m"
              memory = "256Mi"
            }
            limits = {
              memory = "1Gi"
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
          name = "prefix"

          empty_dir {
            size_limit = "256Mi"
          }
        }

        volume {
          name = "tmp"

          empty_dir {
            size_limit = "256Mi"
          }
        }
      }
    }
  }

  wait_for_completion = var.wait_for_rollout

  timeouts {
    create = "20m"
    update = "20m"
  }
}
