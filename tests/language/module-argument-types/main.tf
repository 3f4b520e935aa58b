module "typed" {
  source = "./child"
  name   = ["x"]
  size   = "many"
  object = { a = "x", b = { c = [1, "two"] } }
}

module "null" {
  source = "./child"
  name   = null
  object = { a = 1, b = { c = [] } }
}

module "unknown_is_fine" {
  source = "./child"
  name   = terraform_data.d.id
  size   = terraform_data.d.output
  object = terraform_data.d.output
}

resource "terraform_data" "d" {}
