variable "v" {
  default = 1

  validation {
    condition     = var.v == each.value
    error_message = "x"
  }
}

locals {
  a = each.key
  b = count.index
  c = self.id
}

output "o" {
  value = each.value
}

resource "terraform_data" "single" {
  input = [each.key, count.index]
}

resource "terraform_data" "counted" {
  count = 1
  input = each.key
}

resource "terraform_data" "keyed" {
  for_each = { a = 1 }
  input    = count.index
}

resource "terraform_data" "self_object" {
  input = self.id
}

resource "terraform_data" "in_count" {
  count = count.index
}

resource "terraform_data" "in_for_each" {
  for_each = { a = each.key }
}

module "m" {
  source = "./child"
  a      = each.key
}

provider "aws" {
  region = each.value
}
