variable "v" {
  default = 1
}

resource "terraform_data" "counted" {
  count = 1
}

resource "terraform_data" "fine" {
  depends_on = [terraform_data.counted, terraform_data.counted[0], var.v, "terraform_data.counted", path.module]
}

resource "terraform_data" "attribute" {
  depends_on = [terraform_data.counted[0].id]
}

resource "terraform_data" "each" {
  for_each   = { k = 1 }
  depends_on = [each.key, each.value]
}

resource "terraform_data" "count" {
  count      = 1
  depends_on = [count.index, self]
}

resource "terraform_data" "missing" {
  depends_on = [terraform_data.countd, module.m]
}
