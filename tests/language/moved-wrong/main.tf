resource "terraform_data" "a" {}

resource "terraform_data" "b" {}

moved {}

moved {
  from = terraform_data.x
}

moved {
  from = "terraform_data.x"
  to   = terraform_data.a
}

moved {
  from = terraform_data.x[count.index]
  to   = terraform_data.a
}

moved {
  from = terraform_data.x.id
  to   = terraform_data.a
}

moved {
  from = data.aws_region.x
  to   = data.aws_region.y
}

moved {
  from  = terraform_data.x
  to    = terraform_data.a
  extra = 1

  block {}
}

moved {
  from = var.x
  to   = local.y
}

moved {
  from = terraform_data.x[*]
  to   = terraform_data.a
}

moved "label" {
  from = terraform_data.x
  to   = terraform_data.a
}

moved {
  from = terraform_data.a
  to   = terraform_data.a
}
