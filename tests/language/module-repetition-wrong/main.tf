module "both" {
  source   = "./child"
  count    = 1
  for_each = {}
}

module "three" {
  source   = "./child"
  count    = 1
  for_each = {}

  lifecycle {
    enabled = true
  }
}

module "lifecycle" {
  source = "./child"

  lifecycle {
    prevent_destroy = true
  }
}
