mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-west-1a", "eu-west-1b", "eu-west-1c", "eu-west-1d"]
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }

  mock_data "aws_iam_policy_document" {
    defaults = {
      json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}"
    }
  }

  mock_resource "aws_eks_cluster" {
    defaults = {
      arn                   = "arn:aws:eks:eu-west-1:123456789012:cluster/test"
      endpoint              = "https://test.example"
      certificate_authority = [{ data = "Y2E=" }]
    }
  }

  mock_resource "aws_iam_role" {
    defaults = {
      arn = "arn:aws:iam::123456789012:role/test"
    }
  }
}

variables {
  name = "test"
}

run "three_zones_one_way_out" {
  command = plan

  assert {
    condition     = output.availability_zones == tolist(["eu-west-1a", "eu-west-1b", "eu-west-1c"])
    error_message = "The first three zones are used."
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 1
    error_message = "All zones share one NAT gateway."
  }

  assert {
    condition = (
      aws_subnet.public["eu-west-1a"].cidr_block == "192.168.0.0/19" &&
      aws_subnet.private["eu-west-1a"].cidr_block == "192.168.96.0/19"
    )
    error_message = "Private ranges start at the fourth eighth."
  }

  assert {
    condition     = aws_eks_node_group.this.scaling_config[0].max_size == 3
    error_message = "The node group has its default size."
  }
}

run "two_zones_renumber_nothing" {
  command = plan

  variables {
    availability_zone_count = 2
    nat_gateway_per_zone    = true
  }

  assert {
    condition     = length(aws_subnet.private) == 2 && length(aws_nat_gateway.this) == 2
    error_message = "Two zones, each with a way out of its own."
  }

  assert {
    condition     = aws_subnet.private["eu-west-1b"].cidr_block == "192.168.128.0/19"
    error_message = "The ranges do not depend on the number of zones."
  }
}

run "everything" {
  assert {
    condition     = output.cluster_endpoint == "https://test.example" && output.cluster_certificate_authority_data == "Y2E="
    error_message = "Callers are told how to reach the cluster."
  }

  assert {
    condition     = length(distinct(output.private_subnet_ids)) == 3
    error_message = "One private subnet a zone."
  }

  assert {
    condition     = keys(output.nat_public_ips) == ["eu-west-1a"]
    error_message = "The address of the one NAT gateway is told."
  }

  assert {
    condition     = toset(keys(aws_eks_addon.workload)) == toset(["coredns", "metrics-server", "aws-ebs-csi-driver"])
    error_message = "The add-ons that Kong needs are there."
  }
}

run "arguments_are_checked" {
  command = plan

  variables {
    name                         = "no spaces"
    kubernetes_version           = "1"
    vpc_cidr                     = "192.168.0.0/28"
    endpoint_public_access_cidrs = []
    enabled_log_types            = ["everything"]
    addon_versions               = { other = "v1" }
    node_group                   = { min_size = 3, max_size = 2 }
  }

  expect_failures = [
    var.name,
    var.kubernetes_version,
    var.vpc_cidr,
    var.endpoint_public_access_cidrs,
    var.enabled_log_types,
    var.addon_versions,
    var.node_group,
  ]
}

run "number_of_zones_is_checked" {
  command = plan

  variables {
    availability_zone_count = 1
  }

  expect_failures = [var.availability_zone_count]
}
