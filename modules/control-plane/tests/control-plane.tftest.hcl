mock_provider "kubernetes" {}

variables {
  namespace = "kong"
  database = {
    host            = "db.kong.svc.cluster.local"
    port            = 5432
    name            = "kong"
    user            = "kong"
    ssl             = false
    password_secret = "db"
    password_key    = "password"
  }
}

run "defaults" {
  assert {
    condition = (
      output.cluster_endpoint == "kong-kong-cluster.kong.svc.cluster.local:8005" &&
      output.telemetry_endpoint == "kong-kong-clustertelemetry.kong.svc.cluster.local:8006"
    )
    error_message = "Data planes are told where their control plane is."
  }

  assert {
    condition     = output.admin_api_url == "http://kong-kong-admin.kong.svc.cluster.local:8001"
    error_message = "The Admin API is reached within the cluster."
  }

  assert {
    condition     = local.environment["KONG_ROLE"] == "control_plane" && local.environment["KONG_PG_HOST"] == "db.kong.svc.cluster.local"
    error_message = "Kong is a control plane with this database."
  }

  assert {
    condition     = kubernetes_service_v1.admin.spec[0].type == "ClusterIP"
    error_message = "The Admin API is not exposed."
  }

  assert {
    condition     = length(kubernetes_secret_v1.license) == 0
    error_message = "Without a licence there is no Secret for it."
  }
}

run "database_over_tls_with_a_licence" {
  command = plan

  variables {
    license = "{\"license\":{}}"
    database = {
      host            = "db.example"
      port            = 5432
      name            = "kong"
      user            = "kong"
      ssl             = true
      password_secret = "db"
      password_key    = "password"
    }
  }

  assert {
    condition     = local.environment["KONG_PG_SSL_REQUIRED"] == "on"
    error_message = "Kong does not fall back to plain text."
  }

  assert {
    condition     = length(kubernetes_secret_v1.license) == 1
    error_message = "The licence is in a Secret."
  }
}

run "internal_load_balancer" {
  command = plan

  variables {
    exposure = "internal"
  }

  assert {
    condition     = kubernetes_service_v1.admin.metadata[0].annotations["service.beta.kubernetes.io/aws-load-balancer-internal"] == "true"
    error_message = "The load balancer has addresses of the VPC only."
  }
}

run "arguments_are_checked" {
  command = plan

  variables {
    namespace                   = "Kong"
    data_plane_namespaces       = []
    instance                    = "-kong"
    image                       = "kong:latest"
    replicas                    = 0
    cluster_certificate_secret  = "Not_A_Name"
    license                     = "not JSON"
    exposure                    = "internet"
    load_balancer_source_ranges = ["everywhere"]
    admin_gui_api_url           = "kong.example"
    resources                   = { memory_limit = "2GB" }
    extra_environment           = { KONG_PG_PASSWORD = "secret" }
  }

  expect_failures = [
    var.namespace,
    var.data_plane_namespaces,
    var.instance,
    var.image,
    var.replicas,
    var.cluster_certificate_secret,
    var.license,
    var.exposure,
    var.load_balancer_source_ranges,
    var.admin_gui_api_url,
    var.resources,
    var.extra_environment,
  ]
}
