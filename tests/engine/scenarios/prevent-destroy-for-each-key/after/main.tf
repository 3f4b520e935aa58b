resource "test_thing" "a" {
  for_each = toset(["y"])
  name = "a-${each.key}"
  lifecycle {
    prevent_destroy = true
  }
}
