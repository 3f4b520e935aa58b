module "m" {
  source  = "./child"
  unknwon = 1
  nam     = "x"

  block {
    a = 1
  }

  provider "aws" {}

  locals {}
}

module "typed" {
  source = "./child"
  name   = ["x"]
  size   = "many"
}

module "null" {
  source = "./child"
  name   = null
}
