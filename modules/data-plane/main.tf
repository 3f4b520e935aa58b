# Names, settings and identity of the data plane.

locals {
  name = "${var.instance}-kong"

  selector_labels = {
    "app.kubernetes.io/name"      = "kong"
    "app.kubernetes.io/instance"  = var.instance
    "app.kubernetes.io/component" = "data-plane"
  }

  labels = merge(local.selector_labels, { "app.kubernetes.io/part-of" = "kong" })

  # The user of Kong's image.
  kong_uid    = 1000
  kong_prefix = "/kong_prefix"

  certificate_path = "/etc/secrets/kong-cluster-cert"

  ports = {
    proxy     = 8000
    proxy-tls = 8443
    status    = 8100
  }

  environment = merge(
    {
      KONG_ROLE                        = "data_plane"
      KONG_DATABASE                    = "off"
      KONG_CLUSTER_CERT                = "${local.certificate_path}/tls.crt"
      KONG_CLUSTER_CERT_KEY            = "${local.certificate_path}/tls.key"
      KONG_LUA_SSL_TRUSTED_CERTIFICATE = "${local.certificate_path}/tls.crt"
      KONG_CLUSTER_CONTROL_PLANE       = var.control_plane_endpoint
      KONG_CLUSTER_TELEMETRY_ENDPOINT  = var.telemetry_endpoint
      KONG_PROXY_LISTEN                = "0.0.0.0:${local.ports["proxy"]}, 0.0.0.0:${local.ports["proxy-tls"]} http2 ssl"
      KONG_STATUS_LISTEN               = "0.0.0.0:${local.ports["status"]}"
      KONG_ADMIN_LISTEN                = "off"
      KONG_PREFIX                      = local.kong_prefix
      KONG_PROXY_ACCESS_LOG            = "/dev/stdout"
      KONG_PROXY_ERROR_LOG             = "/dev/stderr"
      # What consumers see is the Service's ports, not the container's.
      KONG_PORT_MAPS = "80:${local.ports["proxy"]}, 443:${local.ports["proxy-tls"]}"
      # As many workers as the CPU request feeds, not as the node has cores.
      KONG_NGINX_WORKER_PROCESSES = "2"
    },
    var.extra_environment,
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
