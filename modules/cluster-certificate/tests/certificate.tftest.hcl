# Key and certificate are made by the real provider, which needs nothing but this machine.
mock_provider "kubernetes" {}

variables {
  namespaces = {
    control_plane = "kong"
    data_plane    = "kong-dp"
  }
}

run "one_secret_in_every_namespace" {
  assert {
    condition     = tomap({ for k, s in kubernetes_secret_v1.this : k => s.metadata[0].namespace }) == var.namespaces
    error_message = "Every namespace gets a Secret."
  }

  assert {
    condition     = alltrue([for s in kubernetes_secret_v1.this : s.metadata[0].name == output.secret_name])
    error_message = "The Secret has the same name everywhere."
  }

  assert {
    condition     = output.checksum == sha256(output.certificate_pem)
    error_message = "The checksum is that of the certificate."
  }

  assert {
    condition     = tls_self_signed_cert.this.subject[0].common_name == "kong_clustering"
    error_message = "Data planes ask for kong_clustering."
  }

  assert {
    condition     = timecmp(output.expires_at, timeadd(timestamp(), "26000h")) > 0
    error_message = "The certificate is good for three years."
  }
}

run "nothing_changes_by_itself" {
  command = plan

  assert {
    condition     = output.certificate_pem == run.one_secret_in_every_namespace.certificate_pem
    error_message = "A second run keeps the certificate."
  }
}

run "renewal_before_the_end" {
  command = plan

  variables {
    validity_days      = 30
    early_renewal_days = 30
  }

  expect_failures = [tls_self_signed_cert.this]
}

run "arguments_are_checked" {
  command = plan

  variables {
    namespaces         = {}
    secret_name        = "Not_A_Name"
    common_name        = "two words"
    validity_days      = 0
    early_renewal_days = 1.5
  }

  expect_failures = [
    var.namespaces,
    var.secret_name,
    var.common_name,
    var.validity_days,
    var.early_renewal_days,
  ]
}
