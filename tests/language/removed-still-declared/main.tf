resource "terraform_data" "here" {}

module "m" {
  source = "./child"
}

removed {
  from = terraform_data.here
}

removed {
  from = module.m
}

removed {
  from = module.m.terraform_data.inside
}
