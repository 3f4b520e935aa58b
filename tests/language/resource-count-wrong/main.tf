variable "secret" {
  default   = 1
  sensitive = true
}

resource "terraform_data" "text" {
  count = "two"
}

resource "terraform_data" "negative" {
  count = -1
}

resource "terraform_data" "fraction" {
  count = 1.5
}

resource "terraform_data" "null" {
  count = null
}

resource "terraform_data" "list" {
  count = [1]
}

resource "terraform_data" "sensitive" {
  count = var.secret
}

resource "terraform_data" "text_number" {
  count = "2"
}

resource "terraform_data" "bool" {
  count = true
}
