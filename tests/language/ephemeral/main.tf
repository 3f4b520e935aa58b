variable "token" {
  type      = string
  ephemeral = true
  default   = "t"
}

locals {
  header = "Bearer ${var.token}"
}

provider "kubernetes" {
  host  = "https://127.0.0.1"
  token = var.token
}

resource "terraform_data" "input" {
  input = local.header
}

resource "terraform_data" "triggers" {
  triggers_replace = [var.token]
}

resource "terraform_data" "counted" {
  count = length(var.token)
}

resource "terraform_data" "keyed" {
  for_each = toset([var.token])
}

resource "terraform_data" "null" {
  input = ephemeralasnull(var.token)
}

data "aws_region" "r" {
  name = var.token
}

module "m" {
  source = "./child"
  plain  = var.token
  token  = var.token
}

output "o" {
  value = local.header
}

check "c" {
  assert {
    condition     = var.token != ""
    error_message = "Empty: ${var.token}"
  }
}
