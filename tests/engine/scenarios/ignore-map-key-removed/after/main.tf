resource "test_thing" "a" {
  name = "a"
  tags = { l = "2" }
  lifecycle {
    ignore_changes = [tags["k"]]
  }
}
