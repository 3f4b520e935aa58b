resource "test_thing" "a" {
  for_each = { x = 1, y = 1, z = 1 }
  name = "a-${each.key}"
  size = each.value
}
