# What both kinds of database share: a generated password and its Secret.

locals {
  in_cluster = var.type == "in-cluster"
  port       = 5432

  selector_labels = {
    "app.kubernetes.io/name"      = "postgresql"
    "app.kubernetes.io/instance"  = var.name
    "app.kubernetes.io/component" = "database"
  }

  labels = merge(local.selector_labels, { "app.kubernetes.io/part-of" = "kong" })
}

resource "random_password" "this" {
  length = 32
  # RDS refuses some punctuation and connection strings need others escaped;
  # 32 letters and digits are strong enough without.
  special = false
}

resource "kubernetes_secret_v1" "password" {
  metadata {
    name      = var.name
    namespace = var.namespace
    labels    = local.labels
  }

  type = "Opaque"

  data = {
    password = random_password.this.result
  }
}
