# Shared mode: one self-signed certificate and its key, given to both sides.

resource "tls_private_key" "this" {
  algorithm   = "ECDSA"
  ecdsa_curve = "P384"
}

resource "tls_self_signed_cert" "this" {
  private_key_pem = tls_private_key.this.private_key_pem

  # No subject alternative name: where one is present the common name is not
  # looked at, and the common name is what data planes check.
  subject {
    common_name = var.common_name
  }

  validity_period_hours = var.validity_days * 24
  early_renewal_hours   = var.early_renewal_days * 24

  allowed_uses = [
    "digital_signature",
    "key_encipherment",
    "server_auth",
    "client_auth",
  ]

  lifecycle {
    precondition {
      condition     = var.early_renewal_days < var.validity_days
      error_message = "early_renewal_days must be less than validity_days, or every run would replace the certificate."
    }
  }
}

resource "kubernetes_secret_v1" "this" {
  for_each = var.namespaces

  metadata {
    name      = var.secret_name
    namespace = each.value
    labels    = var.labels
  }

  type = "kubernetes.io/tls"

  data = {
    "tls.crt" = tls_self_signed_cert.this.cert_pem
    "tls.key" = tls_private_key.this.private_key_pem
  }
}
