resource "test_thing" "a" {
  name = "a"
  size = 1
  step {
    command = "uno"
  }
  step {
    command = "due"
  }
  lifecycle {
    ignore_changes = [step]
  }
}
