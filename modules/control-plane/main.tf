# What the migrations and the control plane share: names, settings, identity.

locals {
  name = "${var.instance}-kong"

  instance_labels = {
    "app.kubernetes.io/name"     = "kong"
    "app.kubernetes.io/instance" = var.instance
  }

  selector_labels = merge(local.instance_labels, { "app.kubernetes.io/component" = "control-plane" })
  labels          = merge(local.selector_labels, { "app.kubernetes.io/part-of" = "kong" })

  # The user of Kong's image.
  kong_uid    = 1000
  kong_prefix = "/kong_prefix"

  certificate_path = "/etc/secrets/kong-cluster-cert"

  ports = {
    admin       = 8001
    admin-tls   = 8444
    manager     = 8002
    manager-tls = 8445
    cluster     = 8005
    telemetry   = 8006
    status      = 8100
  }

  database_environment = merge(
    {
      KONG_DATABASE    = "postgres"
      KONG_PG_HOST     = var.database.host
      KONG_PG_PORT     = tostring(var.database.port)
      KONG_PG_USER     = var.database.user
      KONG_PG_DATABASE = var.database.name
      KONG_PREFIX      = local.kong_prefix
    },
    # Required, not preferred: Kong does not fall back to plain text. The server's
    # certificate is not verified; that takes RDS's authorities in a file.
    var.database.ssl ? { KONG_PG_SSL = "on", KONG_PG_SSL_REQUIRED = "on" } : {},
  )

  # The value is sensitive, whether there is one is not.
  has_license = nonsensitive(var.license != null)
}

# Kong does not talk to the Kubernetes API: no token is mounted.
resource "kubernetes_service_account_v1" "this" {
  metadata {
    name      = local.name
    namespace = var.namespace
    labels    = local.labels
  }

  automount_service_account_token = false
}

resource "kubernetes_secret_v1" "license" {
  count = local.has_license ? 1 : 0

  metadata {
    name      = "kong-enterprise-license"
    namespace = var.namespace
    labels    = local.labels
  }

  type = "Opaque"

  data = {
    license = var.license
  }
}
