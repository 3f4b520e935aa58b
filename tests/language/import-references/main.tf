resource "terraform_data" "a" {}

resource "terraform_data" "keyed" {
  for_each = { k = 1 }
}

import {
  to = terraform_data.missing
  id = "x"
}

import {
  to = module.missing.terraform_data.a
  id = "x"
}

import {
  to = terraform_data.a
  id = var.missing
}

import {
  to = terraform_data.keyed[each.key]
  id = "x"
}
