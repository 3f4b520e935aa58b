output "secret_name" {
  description = "Name of the Secret; known once the Secret is in every namespace."
  value       = var.secret_name

  # What mounts the Secret waits for it through this output.
  depends_on = [kubernetes_secret_v1.this]
}

output "certificate_pem" {
  description = "The certificate in PEM."
  value       = tls_self_signed_cert.this.cert_pem
}

output "checksum" {
  description = "SHA-256 of the certificate: put it among a pod template's annotations, so that a new certificate restarts the pods."
  value       = sha256(tls_self_signed_cert.this.cert_pem)
}

output "expires_at" {
  description = "End of the certificate's validity, RFC 3339."
  value       = tls_self_signed_cert.this.validity_end_time
}
