variable "v" {
  default = 1
}

output "o" {
  value = 1
}

locals {
  b = 2
}

resource "terraform_data" "r" {
  input = 1
}

data "terraform_remote_state" "s" {
  backend = "local"
}

module "m" {
  count = 2
}

provider "aws" {
  region = "x"
}

moved {
  from = terraform_data.x
  to   = terraform_data.y
}

removed {
  from = terraform_data.z
}

import {
  to = terraform_data.r
  id = "x"
}

check "c" {
  assert {
    condition     = local.a == 1
    error_message = "No."
  }
}
