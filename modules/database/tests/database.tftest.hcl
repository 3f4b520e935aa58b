mock_provider "kubernetes" {}

mock_provider "aws" {
  mock_resource "aws_db_instance" {
    defaults = {
      address = "kong.example.rds.amazonaws.com"
      arn     = "arn:aws:rds:eu-west-1:123456789012:db:kong"
    }
  }
}

variables {
  namespace = "kong"
}

run "in_the_cluster" {
  assert {
    condition     = output.connection.host == "kong-postgresql.kong.svc.cluster.local" && output.connection.port == 5432
    error_message = "The database is reached by its Service."
  }

  assert {
    condition     = output.connection.ssl == false && output.rds_instance_arn == null
    error_message = "There is no RDS instance, and no TLS within the cluster."
  }

  assert {
    condition     = length(output.password) == 32
    error_message = "The password is strong."
  }

  assert {
    condition     = kubernetes_secret_v1.password.data["password"] == output.password
    error_message = "The Secret holds the password."
  }

  assert {
    condition     = length(aws_db_instance.this) == 0 && length(kubernetes_stateful_set_v1.this) == 1
    error_message = "Only one kind of database is made."
  }
}

run "without_a_volume" {
  command = plan

  variables {
    in_cluster = { persistent = false }
  }

  assert {
    condition     = length(kubernetes_persistent_volume_claim_v1.data) == 0 && length(kubernetes_storage_class_v1.this) == 0
    error_message = "Nothing is kept where nothing is to be kept."
  }
}

run "on_rds" {
  # A state of its own: the other database stays.
  state_key = "rds"

  variables {
    type = "rds"
    network = {
      vpc_id                   = "vpc-1"
      subnet_ids               = ["subnet-1", "subnet-2"]
      client_security_group_id = "sg-1"
    }
  }

  assert {
    condition     = output.connection.host == "kong.example.rds.amazonaws.com" && output.connection.ssl
    error_message = "RDS is reached by its address, over TLS."
  }

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && !aws_db_instance.this[0].publicly_accessible
    error_message = "The instance is encrypted and private."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.postgresql[0].referenced_security_group_id == "sg-1"
    error_message = "Only the nodes may connect."
  }

  assert {
    condition     = length(kubernetes_stateful_set_v1.this) == 0
    error_message = "Nothing of the other kind is made."
  }
}

run "arguments_are_checked" {
  command = plan

  variables {
    namespace           = "Kong"
    name                = "two--hyphens"
    database_name       = "9lives"
    user_name           = "postgres"
    client_match_labels = {}
    client_components   = []
    in_cluster          = { image = "postgres:latest" }
    rds                 = { allocated_storage = 5 }
  }

  expect_failures = [
    var.namespace,
    var.name,
    var.database_name,
    var.user_name,
    var.client_match_labels,
    var.client_components,
    var.in_cluster,
    var.rds,
  ]
}

run "type_is_checked" {
  command = plan

  variables {
    type = "sqlite"
  }

  expect_failures = [var.type]
}
