resource "terraform_data" "each" {
  for_each = { a = 1 }

  lifecycle {
    replace_triggered_by = [terraform_data.list[each.value], terraform_data.list[local.i], terraform_data.map[each.key]]
  }
}

resource "terraform_data" "list" {
  count = 2
}

resource "terraform_data" "map" {
  for_each = { a = 1 }
}

locals {
  i = 1
}
