variable "n" {
  default = 1
}

check "c" {
  assert {
    condition     = var.n == 1
    error_message = "n is ${var.n}."
  }

  assert {
    condition     = length(data.aws_region.inside.name) > 0
    error_message = "No region."
  }

  data "aws_region" "inside" {}
}
