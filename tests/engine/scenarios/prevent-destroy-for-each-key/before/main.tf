resource "test_thing" "a" {
  for_each = toset(["x"])
  name = "a-${each.key}"
  lifecycle {
    prevent_destroy = true
  }
}
