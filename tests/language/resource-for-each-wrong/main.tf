variable "secret" {
  default   = ["s"]
  sensitive = true
}

resource "terraform_data" "list" {
  for_each = ["a", "b"]
}

resource "terraform_data" "text" {
  for_each = "a"
}

resource "terraform_data" "null" {
  for_each = null
}

resource "terraform_data" "numbers" {
  for_each = toset([1, 2])
}

resource "terraform_data" "bools" {
  for_each = toset([true])
}

resource "terraform_data" "objects" {
  for_each = toset([{ a = 1 }])
}

resource "terraform_data" "sensitive" {
  for_each = toset(var.secret)
}

resource "terraform_data" "null_element" {
  for_each = toset(["a", null])
}

resource "terraform_data" "number" {
  for_each = 3
}

resource "terraform_data" "empty_tuple" {
  for_each = []
}

resource "terraform_data" "fine_map" {
  for_each = { a = null }
}

resource "terraform_data" "fine_object" {
  for_each = { a = 1, b = "x" }
}
