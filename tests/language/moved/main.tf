resource "terraform_data" "b" {
  count = 1
}

resource "terraform_data" "d" {
  for_each = { x = 1 }
}

module "m" {
  source = "./child"
}

moved {
  from = terraform_data.a
  to   = terraform_data.b[0]
}

moved {
  from = terraform_data.c["old"]
  to   = terraform_data.d["x"]
}

moved {
  from = module.old
  to   = module.m
}

moved {
  from = terraform_data.inside
  to   = module.m.terraform_data.inside
}

moved {
  from = module.gone["k"].terraform_data.x
  to   = terraform_data.d
}

moved {
  from = null_resource.type_changes
  to   = terraform_data.changed
}

resource "terraform_data" "changed" {}
