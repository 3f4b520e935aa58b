resource "terraform_data" "still_here" {}

removed {}

removed {
  from = terraform_data.a["x"]
}

removed {
  from = data.aws_region.x
}

removed {
  from = module.m[0].terraform_data.x
}

removed {
  from = terraform_data.a

  lifecycle {
    destroy         = "maybe"
    prevent_destroy = true
  }

  lifecycle {
    destroy = false
  }
}

removed {
  from = terraform_data.still_here
}

removed {
  from = terraform_data.fine

  lifecycle {
    destroy = false
  }
}

removed {
  from = module.gone
}
