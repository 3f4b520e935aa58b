terraform {
  required_providers {
    cloud = {
      source = "hashicorp/aws"
    }
  }
}
