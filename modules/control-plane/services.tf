# Four Services: two for people, two for data planes.

locals {
  service_hosts = {
    for service in ["admin", "manager", "cluster", "clustertelemetry"] :
    service => "${local.name}-${service}.${var.namespace}.svc.cluster.local"
  }

  load_balanced = var.exposure == "internal"
  service_type  = local.load_balanced ? "LoadBalancer" : "ClusterIP"

  load_balancer_annotations = local.load_balanced ? {
    "service.beta.kubernetes.io/aws-load-balancer-internal" = "true"
    "service.beta.kubernetes.io/aws-load-balancer-type"     = "nlb"
  } : {}

  load_balancer_source_ranges = local.load_balanced ? var.load_balancer_source_ranges : []
}

resource "kubernetes_service_v1" "admin" {
  metadata {
    name        = "${local.name}-admin"
    namespace   = var.namespace
    labels      = local.labels
    annotations = local.load_balancer_annotations
  }

  spec {
    type                        = local.service_type
    selector                    = local.selector_labels
    load_balancer_source_ranges = local.load_balancer_source_ranges

    dynamic "port" {
      for_each = toset(["admin", "admin-tls"])

      content {
        name        = port.key
        port        = local.ports[port.key]
        target_port = port.key
        protocol    = "TCP"
      }
    }
  }

  wait_for_load_balancer = var.wait_for_load_balancer
}

resource "kubernetes_service_v1" "manager" {
  metadata {
    name        = "${local.name}-manager"
    namespace   = var.namespace
    labels      = local.labels
    annotations = local.load_balancer_annotations
  }

  spec {
    type                        = local.service_type
    selector                    = local.selector_labels
    load_balancer_source_ranges = local.load_balancer_source_ranges

    dynamic "port" {
      for_each = toset(["manager", "manager-tls"])

      content {
        name        = port.key
        port        = local.ports[port.key]
        target_port = port.key
        protocol    = "TCP"
      }
    }
  }

  wait_for_load_balancer = var.wait_for_load_balancer
}

resource "kubernetes_service_v1" "cluster" {
  metadata {
    name      = "${local.name}-cluster"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    type     = "ClusterIP"
    selector = local.selector_labels

    port {
      name        = "cluster"
      port        = local.ports["cluster"]
      target_port = "cluster"
      protocol    = "TCP"
    }
  }
}

resource "kubernetes_service_v1" "telemetry" {
  metadata {
    name      = "${local.name}-clustertelemetry"
    namespace = var.namespace
    labels    = local.labels
  }

  spec {
    type     = "ClusterIP"
    selector = local.selector_labels

    port {
      name        = "telemetry"
      port        = local.ports["telemetry"]
      target_port = "telemetry"
      protocol    = "TCP"
    }
  }
}
