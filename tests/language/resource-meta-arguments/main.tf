resource "terraform_data" "both" {
  count    = 1
  for_each = {}
}

resource "terraform_data" "enabled_too" {
  count = 1

  lifecycle {
    enabled = true
  }
}

resource "terraform_data" "three" {
  count    = 1
  for_each = {}

  lifecycle {
    enabled = true
  }
}

resource "terraform_data" "for_eech" {
  for_eech  = {}
  cuont     = 2
  depend_on = []
  provder   = aws
}

resource "terraform_data" "blocks" {
  lifecycl {}

  provisoner "local-exec" {
    command = "true"
  }

  dynamc "x" {
    for_each = []
    content {}
  }

  conection {}
}

data "aws_region" "meta" {
  coun = 1

  lifecycl {}
}
