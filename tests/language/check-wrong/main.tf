check "none" {}

check {
  assert {
    condition     = var.n == 1
    error_message = "x"
  }
}

check "two_data" {
  data "aws_region" "a" {}

  data "aws_region" "b" {}

  assert {
    condition     = true
    error_message = "Constant."
  }
}

check "arguments" {
  description = "x"

  assert {
    condition = var.n == 1
  }

  assert {
    condition     = self.x == 1
    error_message = "x"
    severity      = 1
  }

  resource "terraform_data" "x" {}
}

check "data_meta" {
  data "aws_region" "c" {
    count = 1
  }

  assert {
    condition     = var.n == 1
    error_message = "x"
  }
}

check "same" {
  assert {
    condition     = var.n == 1
    error_message = "x"
  }
}

check "same" {
  assert {
    condition     = var.n == 1
    error_message = "x"
  }
}

check "1x" {
  assert {
    condition     = var.n == 1
    error_message = "x"
  }
}

variable "n" {}
