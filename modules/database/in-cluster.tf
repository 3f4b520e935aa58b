# PostgreSQL in the control plane's namespace, for labs: one replica, one volume.

locals {
  # The user of the official Debian image.
  postgres_uid = 999

  own_storage_class = local.in_cluster && var.in_cluster.persistent && var.in_cluster.storage_class_name == null
}

resource "kubernetes_storage_class_v1" "this" {
  count = local.own_storage_class ? 1 : 0

  metadata {
    # Storage classes belong to the cluster, not to a namespace.
    name   = "${var.namespace}-${var.name}"
    labels = local.labels
  }

  storage_provisioner    = "ebs.csi.aws.com"
  volume_binding_mode    = "WaitForFirstConsumer"
  reclaim_policy         = "Delete"
  allow_volume_expansion = true

  parameters = {
    type      = "gp3"
    encrypted = "true"
  }
}

resource "kubernetes_persistent_volume_claim_v1" "data" {
  count = local.in_cluster && var.in_cluster.persistent ? 1 : 0

  metadata {
    name      = "${var.name}-data"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    access_modes       = ["ReadWriteOnce"]
    storage_class_name = local.own_storage_class ? kubernetes_storage_class_v1.this[0].metadata[0].name : var.in_cluster.storage_class_name

    resources {
      requests = {
        storage = var.in_cluster.storage_size
      }
    }
  }

  # The claim is bound when its first pod is scheduled, which waits for the claim.
  wait_until_bound = false
}

resource "kubernetes_service_v1" "headless" {
  count = local.in_cluster ? 1 : 0

  metadata {
    name      = "${var.name}-headless"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    type       = "ClusterIP"
    cluster_ip = "None"
    # The pod's own name resolves before it is ready.
    publish_not_ready_addresses = true
    selector                    = local.selector_labels

    port {
      name        = "postgresql"
      port        = local.port
      target_port = "postgresql"
      protocol    = "TCP"
    }
  }
}

resource "kubernetes_service_v1" "client" {
  count = local.in_cluster ? 1 : 0

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    type     = "ClusterIP"
    selector = local.selector_labels

    port {
      name        = "postgresql"
      port        = local.port
      target_port = "postgresql"
      protocol    = "TCP"
    }
  }
}

resource "kubernetes_service_account_v1" "this" {
  count = local.in_cluster ? 1 : 0

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  automount_service_account_token = false
}

# Nothing but the control plane and its migrations gets in, and nothing gets out.
resource "kubernetes_network_policy_v1" "this" {
  count = local.in_cluster ? 1 : 0

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    policy_types = ["Ingress", "Egress"]

    pod_selector {
      match_labels = local.selector_labels
    }

    ingress {
      from {
        pod_selector {
          match_labels = var.client_match_labels

          match_expressions {
            key      = "app.kubernetes.io/component"
            operator = "In"
            values   = var.client_components
          }
        }
      }

      ports {
        port     = tostring(local.port)
        protocol = "TCP"
      }
    }
  }
}

resource "kubernetes_stateful_set_v1" "this" {
  count = local.in_cluster ? 1 : 0

  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    replicas              = 1
    service_name          = kubernetes_service_v1.headless[0].metadata[0].name
    pod_management_policy = "OrderedReady"

    selector {
      match_labels = local.selector_labels
    }

    update_strategy {
      type = "RollingUpdate"

      rolling_update {
        partition = 0
      }
    }

    template {
      metadata {
        labels = local.labels
      }

      spec {
        service_account_name             = kubernetes_service_account_v1.this[0].metadata[0].name
        automount_service_account_token  = false
        enable_service_links             = false
        termination_grace_period_seconds = 60

        security_context {
          run_as_non_root        = true
          run_as_user            = local.postgres_uid
          run_as_group           = local.postgres_uid
          fs_group               = local.postgres_uid
          fs_group_change_policy = "OnRootMismatch"

          seccomp_profile {
            type = "RuntimeDefault"
          }
        }

        container {
          name  = "postgresql"
          image = var.in_cluster.image

          port {
            name           = "postgresql"
            container_port = local.port
            protocol       = "TCP"
          }

          env {
            name  = "POSTGRES_DB"
            value = var.database_name
          }

          env {
            name  = "POSTGRES_USER"
            value = var.user_name
          }

          env {
            name = "POSTGRES_PASSWORD"

            value_from {
              secret_key_ref {
                name = kubernetes_secret_v1.password.metadata[0].name
                key  = "password"
              }
            }
          }

          # A directory below the mount: a fresh volume has a lost+found, and
          # initdb wants an empty directory.
          env {
            name  = "PGDATA"
            value = "/var/lib/postgresql/data/pgdata"
          }

          resources {
            requests = {
              cpu    = var.in_cluster.cpu_request
              memory = var.in_cluster.memory_request
            }
            limits = {
              memory = var.in_cluster.memory_limit
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

          # Over TCP: while the image initialises a fresh volume its server
          # listens on the socket only, and must not look ready.
          startup_probe {
            period_seconds    = 5
            timeout_seconds   = 5
            failure_threshold = 60

            exec {
              command = ["pg_isready", "--host=127.0.0.1", "--username=${var.user_name}", "--dbname=${var.database_name}"]
            }
          }

          readiness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 3

            exec {
              command = ["pg_isready", "--host=127.0.0.1", "--username=${var.user_name}", "--dbname=${var.database_name}"]
            }
          }

          liveness_probe {
            period_seconds    = 10
            timeout_seconds   = 5
            failure_threshold = 6

            exec {
              command = ["pg_isready", "--host=127.0.0.1", "--username=${var.user_name}", "--dbname=${var.database_name}"]
            }
          }

          volume_mount {
            name       = "data"
            mount_path = "/var/lib/postgresql/data"
          }

          volume_mount {
            name       = "run"
            mount_path = "/var/run/postgresql"
          }

          volume_mount {
            name       = "tmp"
            mount_path = "/tmp"
          }
        }

        volume {
          name = "data"

          dynamic "persistent_volume_claim" {
            for_each = kubernetes_persistent_volume_claim_v1.data

            content {
              claim_name = persistent_volume_claim.value.metadata[0].name
            }
          }

          dynamic "empty_dir" {
            for_each = var.in_cluster.persistent ? [] : [var.in_cluster.storage_size]

            content {
              size_limit = empty_dir.value
            }
          }
        }

        volume {
          name = "run"

          empty_dir {}
        }

        volume {
          name = "tmp"

          empty_dir {}
        }
      }
    }
  }

  wait_for_rollout = var.in_cluster.wait_for_rollout

  timeouts {
    create = "10m"
    update = "10m"
    delete = "10m"
  }
}
