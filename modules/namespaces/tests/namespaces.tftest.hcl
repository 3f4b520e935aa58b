mock_provider "kubernetes" {}

run "defaults" {
  command = plan

  assert {
    condition     = output.names == { control_plane = "kong", data_plane = "kong-dp" }
    error_message = "Two namespaces, by what they are for."
  }

  assert {
    condition = alltrue([
      for namespace in kubernetes_namespace_v1.this :
      namespace.metadata[0].labels["pod-security.kubernetes.io/enforce"] == "restricted"
    ])
    error_message = "Both namespaces enforce the strictest standard."
  }
}

run "own_names_and_labels" {
  variables {
    control_plane = "gateway"
    data_plane    = "traffic"
    labels        = { team = "edge", "app.kubernetes.io/part-of" = "else" }
  }

  assert {
    condition     = output.control_plane == "gateway" && output.data_plane == "traffic"
    error_message = "The namespaces have the names that were asked for."
  }

  assert {
    condition     = kubernetes_namespace_v1.this["data_plane"].metadata[0].labels["team"] == "edge"
    error_message = "Further labels are added."
  }

  assert {
    condition     = kubernetes_namespace_v1.this["data_plane"].metadata[0].labels["app.kubernetes.io/part-of"] == "kong"
    error_message = "Further labels do not replace the module's own."
  }
}

run "names_are_checked" {
  command = plan

  variables {
    control_plane = "Kong"
    data_plane    = "-dp"
  }

  expect_failures = [var.control_plane, var.data_plane]
}

run "planes_live_apart" {
  command = plan

  variables {
    control_plane = "kong"
    data_plane    = "kong"
  }

  expect_failures = [kubernetes_namespace_v1.this]
}

run "standard_is_checked" {
  command = plan

  variables {
    pod_security_standard = "lax"
  }

  expect_failures = [var.pod_security_standard]
}
