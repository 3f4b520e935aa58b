terraform {
  required_providers {
    aws = {
      source = "hashicorp/terraform-provider-aws"
    }
    random = {
      source = "terraform-random"
    }
    null = {
      source = "registry.terraform.io/hashicorp/null"
    }
  }
}
