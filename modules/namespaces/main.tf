locals {
  # Keyed by what a namespace is for: renaming one replaces that one only.
  namespaces = {
    control_plane = var.control_plane
    data_plane    = var.data_plane
  }
}

resource "kubernetes_namespace_v1" "this" {
  for_each = local.namespaces

  metadata {
    name = each.value

    labels = merge(var.labels, {
      "app.kubernetes.io/part-of"          = "kong"
      "pod-security.kubernetes.io/enforce" = var.pod_security_standard
    })
  }

  timeouts {
    # A namespace ends when the last object in it has: a load balancer's or a
    # volume's finalizer can take minutes.
    delete = "15m"
  }

  lifecycle {
    precondition {
      condition     = var.control_plane != var.data_plane
      error_message = "The control plane and the data plane live in different namespaces."
    }
  }
}
