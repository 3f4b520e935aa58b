module "none" {}

module "not_constant" {
  source = "./${local.dir}"
}

module "missing" {
  source = "./missing"
}

module "empty" {
  source = "./empty"
}

module "version" {
  source  = "./child"
  version = "1.0"
}

module "1x" {
  source = "./child"
}

module "twice" {
  source = "./child"
}

module "twice" {
  source = "./child"
}

locals {
  dir = "child"
}
