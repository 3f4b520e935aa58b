variable "on" {
  type      = bool
  default   = true
  ephemeral = true
}

resource "terraform_data" "a" {
  input = "x"

  lifecycle {
    enabled = false
  }
}

resource "terraform_data" "b" {
  for_each = toset(["x"])
}

moved {
  from = terraform_data.old
  to   = terraform_data.b["x"]
}

moved {
  from = module.a
  to   = terraform_data.b
}

removed {
  from = terraform_data.gone

  lifecycle {
    destroy = false
  }
}

removed {
  from = terraform_data.gone[0]
}

import {
  to = terraform_data.a
  id = "abc"
}

import {
  for_each = { k = "v" }
  to       = terraform_data.b[each.key]
  id       = each.value
}

import {
  to = terraform_data.nothing
  id = "abc"
}

check "health" {
  data "http" "x" {
    url = "http://127.0.0.1"
  }

  assert {
    condition     = length(terraform_data.b) == 1
    error_message = "No."
  }
}

check "empty" {}

ephemeral "random_password" "p" {
  length = 3
}

resource "terraform_data" "both" {
  count    = 1
  for_each = {}
  input    = var.on
}
