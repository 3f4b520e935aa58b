mock_provider "kubernetes" {}

variables {
  namespace = "kong-dp"
}

run "defaults" {
  assert {
    condition     = local.environment["KONG_ROLE"] == "data_plane" && local.environment["KONG_DATABASE"] == "off"
    error_message = "Kong is a data plane without a database."
  }

  assert {
    condition     = local.environment["KONG_ADMIN_LISTEN"] == "off"
    error_message = "A data plane has no Admin API."
  }

  assert {
    condition     = output.status_endpoint == "kong-dp-status.kong-dp.svc.cluster.local:8100"
    error_message = "Prometheus is told where the metrics are."
  }

  assert {
    condition     = output.proxy_hostname == null
    error_message = "No load balancer, no name."
  }

  assert {
    condition     = kubernetes_horizontal_pod_autoscaler_v2.this.spec[0].scale_target_ref[0].name == output.deployment_name
    error_message = "The autoscaler scales the Deployment."
  }
}

run "with_a_load_balancer" {
  # A state of its own, in which the Service is made with what is given here.
  state_key = "load-balancer"

  override_resource {
    target = kubernetes_service_v1.proxy
    values = {
      status = [{ load_balancer = [{ ingress = [{ hostname = "proxy.example", ip = null }] }] }]
    }
  }

  assert {
    condition     = output.proxy_hostname == "proxy.example"
    error_message = "The name of the load balancer is told."
  }
}

run "settings_of_the_caller_win" {
  command = plan

  variables {
    extra_environment = { KONG_NGINX_WORKER_PROCESSES = "4" }
  }

  assert {
    condition     = local.environment["KONG_NGINX_WORKER_PROCESSES"] == "4"
    error_message = "What the caller sets wins over the module's own."
  }
}

run "arguments_are_checked" {
  command = plan

  variables {
    namespace                  = "Kong"
    instance                   = "-kong"
    image                      = "kong:latest"
    control_plane_endpoint     = "https://kong:8005"
    telemetry_endpoint         = "kong"
    cluster_certificate_secret = "Not_A_Name"
    license                    = "not JSON"
    autoscaling                = { min_replicas = 3, max_replicas = 2 }
    max_unavailable            = "0"
    proxy_source_ranges        = ["everywhere"]
    resources                  = { cpu_request = "half" }
    extra_environment          = { KONG_ROLE = "traditional" }
  }

  expect_failures = [
    var.namespace,
    var.instance,
    var.image,
    var.control_plane_endpoint,
    var.telemetry_endpoint,
    var.cluster_certificate_secret,
    var.license,
    var.autoscaling,
    var.max_unavailable,
    var.proxy_source_ranges,
    var.resources,
    var.extra_environment,
  ]
}
