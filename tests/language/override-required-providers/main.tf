terraform {
  required_providers {
    cloud = {
      source  = "example/nothing"
      version = "1.0"
    }
  }
}

data "aws_region" "r" {
  provider = cloud
}
