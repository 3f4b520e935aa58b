variable "names" {
  type    = set(string)
  default = ["a", "b"]
}

resource "terraform_data" "set" {
  for_each = var.names
  input    = "${each.key}=${each.value}"
}

resource "terraform_data" "map" {
  for_each = { for k, v in terraform_data.set : k => v.input }
  input    = each.value
}

resource "terraform_data" "chained" {
  for_each = terraform_data.map
  input    = upper(each.value.input)
}

resource "terraform_data" "none" {
  count = 0
}

resource "terraform_data" "counted" {
  count = length(var.names)
  input = count.index
}

output "values" {
  value = {
    chained = { for k, v in terraform_data.chained : k => v.input }
    key     = terraform_data.chained["b"].input
    none    = terraform_data.none[*].input
    one     = one(terraform_data.none[*].input)
    counted = terraform_data.counted[*].input
    keys    = keys(terraform_data.set)
    try     = try(terraform_data.none[0].input, "nothing")
    full    = [for r in terraform_data.counted : r.input]
  }
}
