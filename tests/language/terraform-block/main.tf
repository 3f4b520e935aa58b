terraform {
  required_versio = ">= 1.0"
  language        = TF2022
  experiments     = [variable_validation, nothing, "quoted", 1]

  backends "x" {}

  backend {}

  backend "s3" {
    bucket = var.b
  }

  backend "local" {}

  cloud {
    organization = "x"
  }

  provider_meta "aws" {
    a = 1
  }

  provider_meta "1x" {}
}

terraform "label" {}
