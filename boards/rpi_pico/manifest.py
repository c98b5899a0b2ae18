"""What is frozen into the VM: start-up, board, kernels. The application comes in a bank."""

freeze("$(PORT_DIR)/modules", "rp2.py")
freeze(".", ("_boot.py", "board.py"))
for part in ("signature", "banks", "bank_folders", "bank_choice", "boot", "main"):
    freeze("../../firmware", part + ".py")
freeze("..", "kernels.py")
for part in ("crypto", "files", "mount", "raw_flash", "rp2_parts", "service"):
    freeze("..", "common/" + part + ".py")
freeze("../../build/firmware/names", "osgp_names.py")  # tools/osgp_tools/vm_names.py
