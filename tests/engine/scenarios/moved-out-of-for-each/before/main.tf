resource "test_thing" "a" {
  for_each = toset(["x", "y"])
  name = "a-${each.key}"
}
