mock_provider "aws" {}
mock_provider "kubernetes" {}

override_module {
  target          = module.eks
  override_during = plan
  outputs = {
    cluster_name                       = "K4K8S"
    cluster_endpoint                   = "https://eks.example"
    cluster_certificate_authority_data = "Y2E="
    cluster_security_group_id          = "sg-nodes"
    vpc_id                             = "vpc-1"
    private_subnet_ids                 = ["subnet-1", "subnet-2", "subnet-3"]
    nat_public_ips                     = { "us-east-1a" = "203.0.113.1" }
  }
}

run "everything" {
  assert {
    condition     = output.kubeconfig_command == "aws eks update-kubeconfig --region us-east-1 --name K4K8S"
    error_message = "A person is told how to reach the cluster."
  }

  assert {
    condition     = output.port_forward_commands.admin == "kubectl --namespace kong port-forward service/kong-kong-admin 8001"
    error_message = "A person is told how to reach the Admin API."
  }

  assert {
    condition     = output.database_host == "kong-postgresql.kong.svc.cluster.local"
    error_message = "The database is in the cluster by default."
  }

  assert {
    condition     = output.metrics_endpoint == "kong-dp-status.kong-dp.svc.cluster.local:8100"
    error_message = "Prometheus is told where the metrics are."
  }
}

run "database_on_rds" {
  command = plan

  variables {
    database_type = "rds"
  }

  override_module {
    target          = module.database
    override_during = plan
    outputs = {
      connection = {
        host            = "kong.example.rds.amazonaws.com"
        port            = 5432
        name            = "kong"
        user            = "kong"
        ssl             = true
        password_secret = "kong-postgresql"
        password_key    = "password"
      }
    }
  }

  assert {
    condition     = output.database_host == "kong.example.rds.amazonaws.com"
    error_message = "The host of the database is handed on."
  }
}

run "arguments_are_checked" {
  command = plan

  variables {
    region                  = "Ireland"
    name                    = "no spaces"
    kong_image              = { tag = "2.8" }
    database_type           = "sqlite"
    admin_exposure          = "internet"
    control_plane_namespace = "Kong"
  }

  expect_failures = [
    var.region,
    var.name,
    var.kong_image,
    var.database_type,
    var.admin_exposure,
    var.control_plane_namespace,
  ]
}
