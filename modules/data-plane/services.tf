# Two Services: the proxy for API consumers, the status port for Prometheus.

resource "kubernetes_service_v1" "proxy" {
  metadata {
    name        = "${local.name}-proxy"
    namespace   = var.namespace
    labels      = local.labels
    annotations = var.proxy_annotations
  }

  spec {
    type                        = "LoadBalancer"
    selector                    = local.selector_labels
    load_balancer_source_ranges = var.proxy_source_ranges

    port {
      name        = "http"
      port        = 80
      target_port = "proxy"
      protocol    = "TCP"
    }

    port {
      name        = "https"
      port        = 443
      target_port = "proxy-tls"
      protocol    = "TCP"
    }
  }

  wait_for_load_balancer = var.wait_for_load_balancer

  timeouts {
    create = "10m"
  }
}

resource "kubernetes_service_v1" "status" {
  metadata {
    name      = "${var.instance}-status"
    namespace = var.namespace
    labels    = local.labels

    annotations = {
      "prometheus.io/scrape" = "true"
      "prometheus.io/port"   = tostring(local.ports["status"])
      "prometheus.io/path"   = "/metrics"
    }
  }

  spec {
    type     = "ClusterIP"
    selector = local.selector_labels

    port {
      name        = "status"
      port        = local.ports["status"]
      target_port = "status"
      protocol    = "TCP"
    }
  }
}
